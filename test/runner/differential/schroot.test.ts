import { compareIn } from '../support/compareIn.ts';
import { inSchroot } from '../support/roots.ts';

/** What a test leaves for the next: sessions are put back before every test, by 6.0 too, but not by 5.28. */
const LEAVES_SOMETHING = ['ordinary-user-may-write-the-tree', 'the-tree-is-the-ordinary-users', 'the-tree-stays'];

compareIn('Trundle and autopkgtest agree in a session of schroot', ['schroot'], inSchroot, LEAVES_SOMETHING);
