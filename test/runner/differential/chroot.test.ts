import { compareIn } from '../support/compareIn.ts';
import { inChroot } from '../support/roots.ts';

compareIn('Trundle and autopkgtest agree in a chroot', [], inChroot);
